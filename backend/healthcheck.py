"""Is the API in this container alive? For docker-compose.yml; exit code 0 means yes.

Without `urllib`, which would ask the proxy that Docker may be told to put into every container.
"""

import http.client
import sys

try:
    connection = http.client.HTTPConnection("127.0.0.1", 8000, timeout=3)
    connection.request("GET", "/healthz")
    sys.exit(connection.getresponse().status != http.client.OK)
except (OSError, http.client.HTTPException):
    sys.exit(1)
