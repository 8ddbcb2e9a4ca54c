"""What every installation of Durum has in common; `local`, `test` and `production` add the rest."""

import structlog
from csp.constants import NONE, SELF
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _

from .admin_look import UNFOLD  # noqa: F401  (a setting like the others, kept apart for its length)
from .environment import BASE_DIR, VAR_DIR, base_url, broker_url, env, read_env_file, whole_number

read_env_file()

# --- Django -----------------------------------------------------------------------------------
DEBUG = False
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=[])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
ROOT_URLCONF = "durum.urls"
WSGI_APPLICATION = "durum.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
SITE_URL = base_url("SITE_URL", "http://127.0.0.1:8000")

INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.filters",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django_htmx",
    "django_filters",
    "rest_framework",
    "knox",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_celery_beat",
    "django_structlog",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "axes",
    "csp",
    "apps.core",
    "apps.clients",
    "apps.connectors",
    "apps.ads",
    "apps.suggestions",
    "apps.analytics",
    "durum",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "apps.core.middleware.HtmxMiddleware",
    "apps.core.middleware.AdminContentPolicyMiddleware",
    "django_structlog.middlewares.RequestMiddleware",
    "apps.clients.middleware.TenancyMiddleware",
    "apps.core.middleware.RefusalMiddleware",
    "axes.middleware.AxesMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "apps.clients.context.client_switcher",
            ],
        },
    },
]

# --- Store: PostgreSQL is the truth, Redis is a hint ---------------------------------------------
DATABASES = {"default": env.db_url("DATABASE_URL", default="postgres:///durum")}
DATABASES["default"] |= {
    "ENGINE": "apps.core.postgresql",
    "CONN_MAX_AGE": 0,
    "CONN_HEALTH_CHECKS": True,  # after a restart of PostgreSQL nobody is handed a dead connection of the pool
    "OPTIONS": {
        **DATABASES["default"].get("OPTIONS", {}),
        "pool": {
            "min_size": 0,
            "max_size": whole_number("DATABASE_POOL", 8, at_least=1),
            "timeout": 10,
            "reconnect_timeout": 5,
        },
    },
}
REDIS_URL = env.str("REDIS_URL", default="redis://127.0.0.1:6379/0")
CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}}

# --- People ---------------------------------------------------------------------------------------
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
AUTH_USER_MODEL = "clients.User"
LOGIN_URL = reverse_lazy("account_login")
LOGIN_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "apps.clients.accounts.InvitedOnlyAdapter"
ACCOUNT_LOGIN_METHODS = {"email", "username"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = "Durum"
MFA_ADAPTER = "apps.clients.accounts.SecondStepAdapter"
AXES_FAILURE_LIMIT = 8
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_VERBOSE = False
AXES_USERNAME_CALLABLE = "apps.clients.accounts.attempted_name"
AXES_LOCKOUT_TEMPLATE = "account/locked.html"
EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"

# --- Languages and time: UTC in the store, the client's zone at the edge ---------------------------
LANGUAGE_CODE = "fr"
LANGUAGES = [("fr", _("French")), ("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = True

# --- Files ----------------------------------------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": env.path("MEDIA_ROOT", default=str(VAR_DIR / "media")).__str__()},
    },
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 12 * 1024 * 1024
IMPORT_MAX_BYTES = whole_number("IMPORT_MAX_BYTES", 200 * 1024 * 1024, at_least=1024)

# --- What a browser may load: our own host, no inline script or style -----------------------------
# The admin's theme needs more; `AdminContentPolicyMiddleware` gives it that below its own address only.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF, "data:"],
        "connect-src": [SELF],
        "object-src": [NONE],
        "base-uri": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    },
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"

# --- API ------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "apps.clients.tokens.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_THROTTLE_CLASSES": ["apps.core.throttling.PerCaller"],
    # The client comes first: the filters of the pages offer what belongs to it.
    "DEFAULT_FILTER_BACKENDS": [
        "apps.core.api.OfClient",
        "django_filters.rest_framework.DjangoFilterBackend",
        "apps.core.api.InOrder",
    ],
    "DEFAULT_PAGINATION_CLASS": "apps.core.api.Pages",
    "PAGE_SIZE": 50,
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["apps.core.json_bodies.JsonBody"],
    "EXCEPTION_HANDLER": "apps.core.api.problem_response",
    "DEFAULT_VERSIONING_CLASS": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Durum",
    "DESCRIPTION": "The back office of a marketing agency: what was measured, proposed, decided and done.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {
        "KindEnum": "apps.suggestions.models.proposals.Kind",
        "RunKindEnum": "apps.connectors.models.SyncRun.Kind",
    },
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "durum.openapi.describe_what_is_shared",
    ],
}
KNOX_TOKEN_MODEL = "clients.ApiToken"  # noqa: S105  (the name of a model)
# The package's own table is not ours: its migrations would create it beside the one above.
MIGRATION_MODULES = {"knox": None}
REST_KNOX = {"TOKEN_TTL": None, "AUTO_REFRESH": False, "AUTH_HEADER_PREFIX": "Token", "TOKEN_PREFIX": "durum_"}
API_RATE_PER_MINUTE = whole_number("API_RATE_PER_MINUTE", 600, at_least=1)

# --- Work that takes time ---------------------------------------------------------------------------
CELERY_BROKER_URL = broker_url(REDIS_URL)
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_TIME_LIMIT = 3600
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
CELERY_TIMEZONE = "UTC"
CELERY_TASK_ROUTES = {
    "apps.ads.tasks.*": {"queue": "fetch"},
    "apps.suggestions.tasks.*": {"queue": "default"},
}
DJANGO_CELERY_BEAT_TZ_AWARE = True

# A worker that died with a change in its hands is replaced after this long; longer than the slowest call.
EXECUTION_LEASE_SECONDS = whole_number("EXECUTION_LEASE_SECONDS", 180, at_least=10)

# --- Meta -------------------------------------------------------------------------------------------
META_GRAPH_URL = base_url("META_GRAPH_URL", "https://graph.facebook.com")
META_GRAPH_VERSION = env.str("META_GRAPH_VERSION", default="v26.0")
META_APP_ID = env.str("META_APP_ID", default="")
META_APP_SECRET = env.str("META_APP_SECRET", default="")

# --- Slack ------------------------------------------------------------------------------------------
SLACK_API_URL = base_url("SLACK_API_URL", "https://slack.com/api")
SLACK_SIGNING_SECRET = env.str("SLACK_SIGNING_SECRET", default="")

# --- Secrets at rest: comma-separated Fernet keys, the first one writes, all of them read --------------
FIELD_KEYS = env.list("FIELD_KEYS", default=[])
# Outbound calls may go to these addresses even though they are on this machine (the sandbox).
HTTP_LOOPBACK_ALLOWED = env.bool("HTTP_LOOPBACK_ALLOWED", default=False)

# --- Logs ---------------------------------------------------------------------------------------------
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"redact": {"()": "apps.core.redaction.RedactionFilter"}},
    "formatters": {
        "line": {"format": "%(asctime)s %(levelname)-7s %(name)s  %(message)s"},
    },
    "handlers": {
        "console": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["redact"]},
    },
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {"httpx": {"level": "WARNING"}, "django_structlog": {"level": "WARNING"}},
}
# Its own printer would write past all of this: every address with its query, keys of password links among them.
structlog.configure(
    processors=[
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.filter_by_level,
        structlog.processors.format_exc_info,
        structlog.processors.KeyValueRenderer(key_order=["event"]),
    ],
    logger_factory=structlog.stdlib.LoggerFactory(),
    wrapper_class=structlog.stdlib.BoundLogger,
)
