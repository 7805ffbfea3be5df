"""The pages: server-rendered HTML over the same `service/` as the API. Data is read here; deeds are sent to the API."""
