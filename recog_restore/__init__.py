"""Does restoring or frontalizing a face before recognizing it help, where, by how much, and whom does it harm?"""

import os

__version__ = "0.1.0"

# ONNX Runtime reads it when it is imported: it would write a device id into the cache and look up a telemetry host.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
