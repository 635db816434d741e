"""All tests look up the packaged reference data, whatever copy the developer has in the home folder."""

import os

from features.reference_copy import PACKAGED, VARIABLE

os.environ[VARIABLE] = PACKAGED
