"""Ways to reach people: one small file per kind, all of the same shape. `registry` lists them."""
