"""French ad copy: for each trade a few angles, each with its hooks and a body text."""

FORMATS = ("IMAGE", "VIDEO", "CAROUSEL")

TRADES = {
    "vin": {
        "product": "coffret découverte",
        "page": "https://domaine.example/decouverte",
        "cta": "SHOP_NOW",
        "angles": {
            "Terroir": (
                ("Le goût d'un coteau, pas d'une usine", "Trois parcelles, un seul vigneron"),
                "Nos vignes poussent à 250 m d'altitude, travaillées à la main depuis 1962. Goûtez la différence.",
            ),
            "Occasion": (
                ("Le vin qui fait parler toute la table", "Un dîner samedi ? C'est réglé"),
                "Six bouteilles choisies pour vos repas de famille, livrées sous 48 h.",
            ),
            "Prix": (
                ("−20 % sur votre première caisse", "Un grand vin à 9 € la bouteille"),
                "Direct du domaine, sans intermédiaire : vous payez le vin, pas la route.",
            ),
            "Preuve sociale": (
                ("4,8/5 par 2 300 amateurs", "Médaille d'or, et pourtant méconnu"),
                "Ils l'ont goûté, ils en reprennent. Lisez leurs avis et faites-vous le vôtre.",
            ),
        },
    },
    "formation": {
        "product": "bilan offert",
        "page": "https://academie.example/bilan",
        "cta": "SIGN_UP",
        "angles": {
            "Reconversion": (
                ("Changer de métier sans repartir de zéro", "À 40 ans, on a le droit de choisir"),
                "Un accompagnement de six mois, finançable par votre CPF. Réservez votre bilan gratuit.",
            ),
            "Salaire": (
                ("+350 € par mois, un an après", "Votre diplôme vaut mieux que ça"),
                "Nos anciens gagnent en moyenne 18 % de plus dès la première année.",
            ),
            "Temps": (
                ("20 minutes par jour suffisent", "Apprendre entre deux trains"),
                "Des modules courts, un tuteur qui répond le jour même, un examen quand vous êtes prêt.",
            ),
            "Peur de rater": (
                ("Plus que 12 places pour janvier", "La session ferme dimanche"),
                "Les inscriptions se terminent bientôt. Parlez à un conseiller avant de décider.",
            ),
        },
    },
    "habitat": {
        "product": "devis gratuit",
        "page": "https://habitat.example/devis",
        "cta": "GET_QUOTE",
        "angles": {
            "Économies": (
                ("Divisez votre facture par trois", "Votre toit peut vous payer"),
                "Étude gratuite, aides déduites du devis, installateur certifié près de chez vous.",
            ),
            "Aides": (
                ("Jusqu'à 9 000 € d'aides cette année", "Ces aides disparaissent en décembre"),
                "Nous montons le dossier pour vous. Vérifiez votre éligibilité en deux minutes.",
            ),
            "Confort": (
                ("Fini les 15 °C dans le salon", "Un hiver sans trois pulls"),
                "Une pompe à chaleur silencieuse, posée en deux jours, garantie dix ans.",
            ),
            "Confiance": (
                ("Posé par vos voisins", "1 200 maisons équipées dans la région"),
                "Une équipe locale, un seul interlocuteur, un prix qui ne bouge pas.",
            ),
        },
    },
}


def creative(trade, pick):
    """Copy for one creative; `pick(options)` chooses among a sequence."""
    theme = TRADES[trade]
    angle = pick(tuple(theme["angles"]))
    hooks, body = theme["angles"][angle]
    return {
        "angle": angle,
        "hook": pick(hooks),
        "format": pick(FORMATS),
        "body": body,
        "cta": theme["cta"],
        "link": theme["page"],
    }
