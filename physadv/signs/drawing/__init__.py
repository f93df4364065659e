"""Road signs drawn with a pen, for runs that need no photos; knows nothing of classifiers or attacks."""
