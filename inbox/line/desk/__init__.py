"""The desk: what the pages of those who distribute mail read, decided for the acting capacity.

Nothing here has a field for a title, a party, or the name of a document: what is not in a type
cannot be shown by mistake.
"""
