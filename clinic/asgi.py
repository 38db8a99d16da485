"""The ASGI application: pages and API by Django, sockets by Channels."""
import os
import warnings

from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clinic.settings")
# WhiteNoise hands static files out as ordinary iterators; they are small enough to be read at once.
warnings.filterwarnings("ignore", message="StreamingHttpResponse must consume synchronous iterators")
pages = get_asgi_application()      # loads the apps: the imports of the project must come after it

from fall_risk.routing import websocket_urlpatterns as fall_risk_sockets  # noqa: E402
from generation.routing import websocket_urlpatterns as generation_sockets  # noqa: E402

application = ProtocolTypeRouter({
    "http": pages,
    # Another site's page may not open our sockets with the visitor's cookies.
    "websocket": AllowedHostsOriginValidator(AuthMiddlewareStack(URLRouter([*generation_sockets, *fall_risk_sockets]))),
})
