"""The dashboard's pages: one file each, with one `PAGE` and the function that fills it.

A page is rendered on the server and readable without JavaScript; scripts make it live. It calls the
same services as the API and decides nothing about who may see what.
"""
