from django.apps import AppConfig


class FallRiskConfig(AppConfig):
    name = "fall_risk"
