"""Settings. Everything that differs between machines comes from the environment; `docs/settings.md` lists each name."""
from __future__ import annotations

import os
from pathlib import Path

from clinic.environment import (
    database_from_url,
    email_from_url,
    env_bool,
    env_list,
    env_port,
    env_seconds,
    local_folder,
    secret_key,
)
from clinic.logs import LOGGING  # noqa: F401 - a setting

BASE_DIR = Path(__file__).resolve().parent.parent
LOCAL_DIR = local_folder(BASE_DIR)          # git-ignored: local database, generated key, logs

DEBUG = env_bool("GENUFLEX_DEBUG", False)
SECRET_KEY = secret_key(LOCAL_DIR)
ALLOWED_HOSTS = env_list("GENUFLEX_ALLOWED_HOSTS", ["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env_list("GENUFLEX_TRUSTED_ORIGINS", [])

# `manage.py run`: where it listens; whether it makes the demo clinic (never unasked on somebody's server).
HOST = os.environ.get("GENUFLEX_HOST", "127.0.0.1")
PORT = env_port("GENUFLEX_PORT", 8000)
DEMO = env_bool("GENUFLEX_DEMO", not os.environ.get("DATABASE_URL"))

# Behind a proxy that ends TLS and sets X-Forwarded-Proto (and drops the one a browser sends).
HTTPS = env_bool("GENUFLEX_HTTPS", False)
SECURE_SSL_REDIRECT = SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
SECURE_HSTS_SECONDS = 365 * 24 * 60 * 60 if HTTPS and not DEBUG else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = False      # the clinic's other services are not ours to decide on
SECURE_REFERRER_POLICY = "same-origin"
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]     # subdomains and preload lists: see above

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.forms",
    "pgtrigger",
    "pghistory",
    "allauth",
    "allauth.account",
    "channels",
    "procrastinate.contrib.django",
    "rest_framework",
    "drf_spectacular",
    "clinic",
    "patients",
    "generation",
    "prescriptions",
    "fall_risk",
    "exercise",
]

MIDDLEWARE = [
    "clinic.middleware.health",
    "clinic.middleware.headers",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "pghistory.middleware.HistoryMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]

ROOT_URLCONF = "clinic.urls"
ASGI_APPLICATION = "clinic.asgi.application"

FORM_RENDERER = "django.forms.renderers.TemplatesSetting"    # so that templates/django/forms/ decides how fields look
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
            ],
        },
    },
]

DATABASES = {"default": database_from_url(os.environ.get("DATABASE_URL"), LOCAL_DIR)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "clinic.User"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

REDIS_URL = os.environ.get("REDIS_URL", "")
CHANNEL_LAYERS = {
    "default": (
        {"BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer", "CONFIG": {"hosts": [REDIS_URL]}}
        if REDIS_URL
        else {"BACKEND": "clinic.channel_layer.PostgresChannelLayer"}
    )
}

# Jobs are deferred on Django's own connection: in the transaction that records the request.
PROCRASTINATE_AUTODISCOVER_MODULE_NAME = "tasks"
WORKER_STALLED_SECONDS = env_seconds("GENUFLEX_WORKER_STALLED_SECONDS", 20)     # silent for so long: taken for dead

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT = LOCAL_DIR / "staticfiles"
# The second is for the bones, which the player draws.
STATICFILES_DIRS = [BASE_DIR / "static", ("models/body", BASE_DIR / "models" / "body")]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"

# Accounts: by e-mail address; made by the clinic, so there is no sign-up and no address to be confirmed by its owner.
ACCOUNT_ADAPTER = "clinic.accounts.ClinicAccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_SESSION_REMEMBER = False                # the session ends with the browser
SESSION_COOKIE_AGE = 12 * 60 * 60
SESSION_COOKIE_HTTPONLY = True

# E-mail: into the log of the process, unless GENUFLEX_SMTP_URL names a server.
SITE_URL = os.environ.get("GENUFLEX_SITE_URL", f"http://localhost:{PORT}").rstrip("/")      # for links in e-mails
DEFAULT_FROM_EMAIL = os.environ.get("GENUFLEX_FROM_EMAIL", "genuflex@localhost")
EMAIL_TIMEOUT = 20
(
    EMAIL_BACKEND, EMAIL_HOST, EMAIL_PORT, EMAIL_HOST_USER, EMAIL_HOST_PASSWORD, EMAIL_USE_TLS, EMAIL_USE_SSL
) = email_from_url(os.environ.get("GENUFLEX_SMTP_URL"))

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["clinic.api_defaults.SessionAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["clinic.api_defaults.TablePermission"],
    "DEFAULT_PAGINATION_CLASS": "clinic.api_defaults.Pagination",
    "DEFAULT_PARSER_CLASSES": ["clinic.api_defaults.JSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "clinic.api_schema.TableSchema",
    "UNICODE_JSON": False,              # so that no string a client sends can fail to be sent back in an error
    "EXCEPTION_HANDLER": "clinic.errors.api_exception_handler",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Genuflex",
    "DESCRIPTION": "Research and education software. Not a medical device.",
    "VERSION": "1",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SERVE_INCLUDE_SCHEMA": False,
    "ENUM_NAME_OVERRIDES": {
        "RecordedSideEnum": "patients.models.Side",
        "SideEnum": ["left", "right", "both"],
        "OneSideEnum": ["left", "right"],
        "SourceStatusEnum": "patients.models.SourceStatus",
        "CheckStatusEnum": "generation.models.CheckStatus",
        "GenerationStatusEnum": "generation.models.RequestStatus",
        "AssessmentStatusEnum": "fall_risk.models.AssessmentStatus",
        "AlertKindEnum": "fall_risk.models.AlertKind",
        "RecordingKindEnum": "fall_risk.models.RecordingKind",
        "RecordingStatusEnum": "fall_risk.models.RecordingStatus",
        "PrescriptionStatusEnum": "prescriptions.models.PrescriptionStatus",
    },
}
