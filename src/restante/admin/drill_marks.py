"""The marks of a domain in the store about its drills.

They go with the domain. `drill_records` and `drill_leftovers` write them.
"""

from typing import Final

PASSED: Final = "drill-passed"
SECONDS: Final = "drill-seconds"
DESTINATION: Final = "drill-destination"
FAILED: Final = "drill-failed"
FAILURES: Final = "drill-failures"  # in a row
TIMED: Final = "drill-timed"  # since when the timer was seen
TOLD: Final = "drill-told"  # the step of the age of the proof
BEGUN: Final = "drill-begun"  # of a drill whose message may be held
