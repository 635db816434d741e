"""The report: what a scored file says, as one page of HTML that needs nothing else.

`findings` asks the tables `events` and `verdicts`, `charts` places what is drawn, `wording` makes sentences and takes
from words of a file what a browser would obey, `page` puts it all into the templates beside it.
"""

from serving.report.page import Origin, report_page, write_report

__all__ = ["Origin", "report_page", "write_report"]
