"""The text of HAProxy's configuration: the templates and the one function that renders them."""
