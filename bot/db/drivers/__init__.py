"""What relies on private names of a library: one file a library, each with what happens without it."""
