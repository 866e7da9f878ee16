"""The edges towards the targets: values in, `ProbeResult` out. A bad target is a result, never an exception."""
