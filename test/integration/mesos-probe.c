/* The whole content of the image that the Mesos suites run: one static program, told by its arguments what to do. */
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static void show(const char *path) {
  FILE *file = fopen(path, "r");
  for (int byte; file && (byte = fgetc(file)) != EOF;) putchar(byte);
  if (file) fclose(file);
}

static void nap(long ms) {
  struct timespec time = {ms / 1000, (ms % 1000) * 1000000};
  nanosleep(&time, NULL);
}

/* Answers 200, or 500 while the file exists. */
static int serve(in_addr_t where, int port, const char *sick) {
  int on = 1, listener = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
  address.sin_addr.s_addr = htonl(where);
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 16)) {
    perror("listen");
    return 1;
  }
  printf("serving on %d\n", port);
  fflush(stdout);
  for (;;) {
    char request[4096];
    int client = accept(listener, NULL, NULL);
    if (client < 0) continue;
    read(client, request, sizeof request);
    const char *status = access(sick, F_OK) == 0 ? "500 Sick" : "200 OK";
    char answer[128];
    int length = snprintf(answer, sizeof answer, "HTTP/1.1 %s\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", status);
    write(client, answer, length);
    close(client);
  }
}

int main(int argc, char **argv) {
  const char *what = argc > 1 ? argv[1] : "";
  /* As the shell of a container: all it can do is sleep. */
  int seconds;
  if (!strcmp(what, "-c") && argc > 2 && sscanf(argv[2], "sleep %d", &seconds) == 1) return (int)sleep(seconds);
  if (!strcmp(what, "everywhere") && argc > 2) {
    signal(SIGTERM, SIG_IGN);
    return serve(INADDR_ANY, atoi(argv[2]), "/nowhere");
  }
  /* Tells first what it was given, and whom it knows by name. */
  if (!strcmp(what, "tell-and-serve") && argc > 2) {
    for (char **variable = environ; *variable; variable++) puts(*variable);
    show("/etc/hosts");
    return serve(INADDR_ANY, atoi(argv[2]), "/nowhere");
  }
  if (!strcmp(what, "serve")) return serve(INADDR_LOOPBACK, atoi(getenv(argc > 2 ? argv[2] : "PORT0")), "/mnt/mesos/sandbox/sick");
  if (!strcmp(what, "print")) {
    for (char **variable = environ; *variable; variable++) puts(*variable);
    fputs("to stderr\n", stderr);
    return argc > 2 ? atoi(argv[2]) : 0;
  }
  if (!strcmp(what, "count")) {
    signal(SIGTERM, SIG_DFL);
    for (int number = 1;; number++) {
      printf("%d\n", number);
      fflush(stdout);
      nap(20);
    }
  }
  if (!strcmp(what, "stubborn")) {
    signal(SIGTERM, SIG_IGN);
    puts("here to stay");
    fflush(stdout);
    for (;;) nap(1000);
  }
  /* As a shell, whose every line is the name of a file: whether it exists. */
  if (!strcmp(what, "-c")) return argc > 2 && access(argv[2], F_OK) == 0 ? 0 : 1;
  if (!strcmp(what, "eat")) {
    while (access("/mnt/mesos/sandbox/hungry", F_OK) != 0) nap(20);
    for (;;) memset(malloc(1 << 20), 1, 1 << 20);
  }
  fprintf(stderr, "what is %s?\n", what);
  return 64;
}
