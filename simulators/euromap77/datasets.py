"""The active production data set, as OPC 40083 describes it in one structure."""

from datetime import UTC, datetime

from asyncua import ua

from simulators.euromap77.machine import CONTROLLER, LOCATION, MANUFACTURER, model
from simulators.euromap77.tree import Tree
from simulators.euromap77.types import GT, IMM, STRUCTURES
from simulators.press import Press

AT = "ProductionDatasetManagement"
KIND = "ProductionDatasetInformationType"


MADE = datetime(2026, 1, 12, 6, tzinfo=UTC)
"""When every data set was entered and saved."""


def build_datasets(tree: Tree, press: Press) -> None:
    """Add the branch with what is said of the active data set, but without its file transfer."""
    tree.object(AT, IMM, ua.NodeId(1008, GT))
    at = tree.object(f"{AT}/ActiveProductionDatasetStatus", GT, ua.NodeId(1039, GT))

    def information() -> ua.Variant:
        mold = press.mold_shown
        said = STRUCTURES[KIND].packed(
            press.dataset,
            mold.part,
            "",
            MADE,
            MADE,
            MADE,
            "",
            [],
            MANUFACTURER,
            press.name,
            model(press),
            CONTROLLER,
            press.name,
            LOCATION,
            [mold.part],
            mold.id,
            mold.cavities,
        )
        return ua.Variant(said, ua.VariantType.ExtensionObject)

    tree.shows(f"{at}/Information", GT, KIND, information)
