"""What steps are for that no action of the engines expresses."""

from enum import StrEnum
from typing import Final

from scenarios.text import Text


class Duty(StrEnum):
    """What a step is for, as its plan says; nothing in a run shows whether it was done."""

    OPENCTI_SERVER = "opencti-server"
    REPORT_TO_VENDOR = "report-to-vendor"
    RESYNC_REQUEST = "resync-request"
    VENDOR_NOTICE = "vendor-notice"


DUTIES: Final = {
    Duty.OPENCTI_SERVER: Text("change the server URL of OpenCTI"),
    Duty.REPORT_TO_VENDOR: Text("report to the vendor that the softphones are back"),
    Duty.RESYNC_REQUEST: Text("ask the vendor to resume the sync"),
    Duty.VENDOR_NOTICE: Text("the vendor gives notice that the primary site is back"),
}
"""Each duty in words."""
