"""The record for programs: /api, described by its own OpenAPI document."""
