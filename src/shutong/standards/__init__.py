"""Ground floor: codes, data elements, code tables with their source, working days and dated legal terms.

Everything here is a pure function of its arguments and of tables that ship with the package: no clock, no database, no
Django. Each check exists once for a single value (forms, with the reason of a failure) and once for a whole Arrow
column; property tests hold the two equal.
"""
