"""The screens: thin functions that ask ``queries`` and draw a template."""
