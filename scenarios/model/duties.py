"""What steps are for that no action of the engines expresses."""

from enum import StrEnum
from typing import Final

from scenarios.text import Text


class Duty(StrEnum):
    """What a step is for, as its plan says; nothing in a run shows whether it was done."""

    ANNOUNCE = "announce"
    DIAL_IN = "dial-in"
    EXPORT_HISTORY = "export-history"
    OPENCTI_SERVER = "opencti-server"
    RE_ENTER_SETTINGS = "re-enter-settings"
    REPORT_TO_VENDOR = "report-to-vendor"
    RESYNC_REQUEST = "resync-request"
    STATUS_CHECK = "status-check"
    VENDOR_NOTICE = "vendor-notice"


DUTIES: Final = {
    Duty.ANNOUNCE: Text("tell callers of another number"),
    Duty.DIAL_IN: Text("bind a number as dial-in in the console"),
    Duty.EXPORT_HISTORY: Text("export histories and recordings"),
    Duty.OPENCTI_SERVER: Text("change the server URL of OpenCTI"),
    Duty.RE_ENTER_SETTINGS: Text("enter what was changed on the DR site again on the primary one"),
    Duty.REPORT_TO_VENDOR: Text("report to the vendor that the softphones are back"),
    Duty.RESYNC_REQUEST: Text("ask the vendor to resume the sync"),
    Duty.STATUS_CHECK: Text("look whether the sync is running"),
    Duty.VENDOR_NOTICE: Text("the vendor gives notice that the primary site is back"),
}
"""Each duty in words."""
