#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tools/devnet/devnet.h"

#define PORT_LAST 65535u

/* taken tells whether something listens on a port of loopback.  What else may
 * keep a port from being bound, the node itself finds and logs. */
static bool taken(uint32_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int const one = 1;
    int const fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return false;
    }
    /* As the nodes do: connections that ended a moment ago do not count. */
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    bool const in_use =
        bind(fd, (const struct sockaddr *)&address, sizeof address) != 0 && errno == EADDRINUSE;
    (void)close(fd);
    return in_use;
}

/* first_taken returns the first port from `base` on that the nodes need and
 * cannot have; 0 if there is none. */
static uint32_t first_taken(uint32_t base, uint32_t validators)
{
    static const uint32_t offsets[] = {0, 1, 4};
    for (uint32_t i = 0; i < validators; i++) {
        for (uint32_t j = 0; j < sizeof offsets / sizeof offsets[0]; j++) {
            uint32_t const port = base + 10 * i + offsets[j];
            if (port > PORT_LAST || taken(port)) {
                return port;
            }
        }
    }
    return 0;
}

static uint32_t free_base(uint32_t base, uint32_t validators)
{
    for (uint32_t next = base + 1000; next < PORT_LAST; next += 1000) {
        if (first_taken(next, validators) == 0) {
            return next;
        }
    }
    return 0;
}

bool devnet_ports_free(uint32_t base_port, uint32_t validators, bool fixed)
{
    char next[160];
    uint32_t const port = first_taken(base_port, validators);
    if (port == 0) {
        return true;
    }
    if (port > PORT_LAST) {
        (void)tool_fail(TOOL_USAGE, NULL, NULL, "%u validators need ports above 65535", validators);
        return false;
    }
    uint32_t const other = fixed ? 0 : free_base(base_port, validators);
    if (other != 0) {
        (void)snprintf(
            next,
            sizeof next,
            "novate devnet up --base-port %u, or make demo DEMO_FLAGS=\"--base-port %u\"",
            other,
            other);
    } else {
        (void)snprintf(next, sizeof next, "ss -ltnp 'sport = :%u' shows what to stop", port);
    }
    (void)tool_fail(TOOL_FAILED,
                    "something listens there, perhaps another devnet",
                    next,
                    "port %u of 127.0.0.1 is taken",
                    port);
    return false;
}
