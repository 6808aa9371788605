-- History of a type and of the whole store, newest first, and of what one person may see. Rows of history are only ever added.
create index resource_history_updated on resource_history (last_updated desc, id);
create index resource_history_patient on resource_history (pid, last_updated desc) where pid is not null;
