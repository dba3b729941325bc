"""The functions of a roster, which take an `AsyncSession` and an `Asker`.

It knows the models. It knows neither Discord nor a language: what it refuses is a key with facts.
"""
