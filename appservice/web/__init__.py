"""All HTTP routes: the homeserver's, the widget's, the media's, and the operator's."""
