"""An OpenID Connect provider of the city, as the client sees it."""
