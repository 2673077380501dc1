"""The simulators' own HTTP: requests, responses, injected faults, a server."""
