"""The pure core: types and rules of the domain, without input or output."""
