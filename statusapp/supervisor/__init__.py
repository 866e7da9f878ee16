"""One foreground command that runs everything: web, workers, scheduler and the private Redis."""
