"""API: the routes, their forms and their guards."""
