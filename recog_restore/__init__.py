"""Does restoring or frontalizing a face before recognizing it help, where, by how much, and whom does it harm?"""

__version__ = "0.1.0"
