// Stands for libsystemd.so.0, which ps asks for the session, unit and container of a process, and which brings 3 MB of
// other libraries. There is no systemd in the machine, so the answer is always that there is none.
#define NONE (-61) // ENODATA, as sd_pid_get_session(3) returns it

int sd_pid_get_machine_name(int pid, char **name) { return NONE; }
int sd_pid_get_owner_uid(int pid, unsigned *uid) { return NONE; }
int sd_pid_get_session(int pid, char **session) { return NONE; }
int sd_pid_get_slice(int pid, char **slice) { return NONE; }
int sd_pid_get_unit(int pid, char **unit) { return NONE; }
int sd_pid_get_user_unit(int pid, char **unit) { return NONE; }
int sd_session_get_seat(const char *session, char **seat) { return NONE; }
