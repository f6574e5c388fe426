"""A synthetic city with known truth: files as departments deliver them, made from the ``demo:`` blocks of declarations.

Python is only for life events (``organisations``, ``events``) and planted patterns; every other resource follows from
its declaration (``scene``, ``fill``). ``dirt`` plants what goes wrong, ``notes`` and ``truth`` remember it, ``measure`` compares.
"""
