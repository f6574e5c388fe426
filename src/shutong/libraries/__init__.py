"""Master data: the values of each subject with their sources and valid time, and the libraries merged from them."""
