"""Code that relies on private names of libraries: one file a library, which says what happens without it."""
