"""Both partner systems as real HTTP servers with memory and faults, for the demo and the tests."""
