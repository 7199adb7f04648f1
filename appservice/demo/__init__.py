"""The demo: a real homeserver, the service and a host page on loopback, from nothing."""
