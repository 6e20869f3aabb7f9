"""Health: is the process alive, can it do its work."""

from __future__ import annotations

from flask.views import MethodView

from consent_server.api.bodies import ApiBlueprint
from consent_server.api.context import context
from consent_server.api.schemas import HealthSchema
from consent_server.errors import NotReady

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
        """Decisions can be recorded and sealed; 503 names what cannot be done, and the remedy."""
        wrong = [one for one in context().readiness.findings() if not one.good]
        if wrong:
            raise NotReady(
                " ".join(filter(None, (f"{one.name}: {one.said} {one.todo}" for one in wrong))),
                errors={one.name: [text for text in (one.said, one.todo) if text] for one in wrong},
                headers={"Retry-After": "10"},
            )
        return {"status": "ok"}
