"""Health: is the process alive, can it do its work."""

from __future__ import annotations

from flask.views import MethodView

from consent_server.api.bodies import ApiBlueprint
from consent_server.api.context import context
from consent_server.api.schemas import HealthSchema
from consent_server.errors import Unavailable
from consent_server.store.schema import schema_is_current

blueprint = ApiBlueprint("health", __name__, description="Health")


@blueprint.route("/healthz")
class Health(MethodView):
    """Alive."""

    @blueprint.response(200, HealthSchema)
    def get(self) -> dict[str, str]:
        """The process answers."""
        return {"status": "ok"}


@blueprint.route("/readyz")
class Readiness(MethodView):
    """Able to work."""

    @blueprint.response(200, HealthSchema)
    def get(self) -> dict[str, str]:
        """The database answers and has this release's schema."""
        database = context().database
        database.check()
        if not schema_is_current(database):
            raise Unavailable(
                "The database has another release's schema. Run: consent-server database upgrade",
                headers={"Retry-After": "10"},
            )
        return {"status": "ok"}
