-- A stored number is itself now, not the range that rounds to it, so its lower end has the order and idx_value_low serves `_sort`.
drop index idx_value_middle;
