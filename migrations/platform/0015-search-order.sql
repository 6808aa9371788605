-- The order of numbers and quantities: `_sort` walks this index. A stored range stands for the number in its middle; by its lower end 1 (0.5 to
-- 1.5) would come before 0.8 (0.75 to 0.85).
create index idx_value_middle on idx_value (k, (lo / 2 + hi / 2), rid);
