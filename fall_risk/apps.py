from django.apps import AppConfig


class FallRiskConfig(AppConfig):
    name = "fall_risk"

    def ready(self) -> None:
        from fall_risk import receivers  # noqa: F401 - connects them
