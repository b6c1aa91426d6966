"""How often Darkroom is right, on labelled pictures; each module reports one section."""
