"""The advice of `nodeway advise`: the facts of a cluster, the rules, and the access option that they select."""
