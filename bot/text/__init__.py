"""Words of a post: where they stand (`tokens`), what they are equal to (`normalise`), their forms (`morphology`)."""
