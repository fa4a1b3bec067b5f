"""Where rows live: table contracts and the small interface that every store implements."""
