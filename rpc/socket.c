#include "rpc/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

uint64_t rpc__socket_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u;
}

/* after_scheme skips "http://" and the like; NULL for a scheme not spoken. */
static const char *after_scheme(const char *url)
{
    const char *scheme = strstr(url, "://");
    if (scheme == NULL) {
        return url;
    }
    bool const known = strncmp(url, "http://", 7) == 0 || strncmp(url, "ws://", 5) == 0;
    return known ? scheme + 3 : NULL;
}

enum nv_err rpc__socket_init(struct rpc_socket *socket, const char *url)
{
    memset(socket, 0, sizeof *socket);
    socket->fd = -1;
    const char *start = after_scheme(url);
    if (start == NULL) {
        return NV_ERR_CONFIG;
    }
    size_t size = strcspn(start, "/");
    if (start[size] == '/' && start[size + 1] != '\0') {
        return NV_ERR_CONFIG;
    }
    const char *colon = start[0] == '[' ? strstr(start, "]:") : strchr(start, ':');
    colon += colon != NULL && start[0] == '[' ? 1 : 0;
    if (colon == NULL || colon >= start + size) {
        return NV_ERR_CONFIG;
    }
    bool const bracketed = start[0] == '[';
    size_t const host = (size_t)(colon - start) - (bracketed ? 2 : 0);
    size_t const port = size - (size_t)(colon - start) - 1;
    if (host == 0 || host >= sizeof socket->host || port == 0 || port >= sizeof socket->port) {
        return NV_ERR_CONFIG;
    }
    memcpy(socket->host, start + (bracketed ? 1 : 0), host);
    memcpy(socket->port, colon + 1, port);
    return strspn(socket->port, "0123456789") == port ? NV_OK : NV_ERR_CONFIG;
}

void rpc__socket_close(struct rpc_socket *socket)
{
    if (socket->fd >= 0) {
        close(socket->fd);
        socket->fd = -1;
    }
}

/* ready waits until the socket can be read or written. */
static enum nv_err ready(const struct rpc_socket *socket, short events, uint64_t deadline_ms)
{
    for (;;) {
        uint64_t const now = rpc__socket_now();
        int const left = now >= deadline_ms              ? 0
                         : deadline_ms - now > INT32_MAX ? INT32_MAX
                                                         : (int)(deadline_ms - now);
        struct pollfd poller = {.fd = socket->fd, .events = events};
        int const result = poll(&poller, 1, left);
        if (result > 0) {
            return NV_OK;
        }
        if (result == 0) {
            return NV_ERR_TIMEOUT;
        }
        if (errno != EINTR) {
            return NV_ERR_IO;
        }
    }
}

static enum nv_err
connect_to(struct rpc_socket *to, const struct addrinfo *where, uint64_t deadline_ms)
{
    int const one = 1;
    to->fd = socket(where->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (to->fd < 0) {
        return NV_ERR_IO;
    }
    setsockopt(to->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(to->fd, where->ai_addr, where->ai_addrlen) == 0) {
        return NV_OK;
    }
    if (errno != EINPROGRESS) {
        return NV_ERR_CLOSED;
    }
    NV_TRY(ready(to, POLLOUT, deadline_ms));
    int failed = 0;
    socklen_t size = sizeof failed;
    bool const asked = getsockopt(to->fd, SOL_SOCKET, SO_ERROR, &failed, &size) == 0;
    return asked && failed == 0 ? NV_OK : NV_ERR_CLOSED;
}

enum nv_err rpc__socket_connect(struct rpc_socket *socket, uint64_t deadline_ms)
{
    struct addrinfo const hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    if (getaddrinfo(socket->host, socket->port, &hints, &found) != 0) {
        return NV_ERR_CLOSED;
    }
    enum nv_err err = NV_ERR_CLOSED;
    for (const struct addrinfo *at = found; at != NULL && err != NV_OK; at = at->ai_next) {
        rpc__socket_close(socket);
        err = connect_to(socket, at, deadline_ms);
    }
    freeaddrinfo(found);
    if (err != NV_OK) {
        rpc__socket_close(socket);
    }
    return err;
}

enum nv_err rpc__socket_send(struct rpc_socket *socket, struct nv_view bytes, uint64_t deadline_ms)
{
    while (bytes.size > 0) {
        ssize_t const sent = send(socket->fd, bytes.bytes, bytes.size, MSG_NOSIGNAL);
        if (sent > 0) {
            bytes = nv_view_of(bytes.bytes + sent, bytes.size - (uint32_t)sent);
        } else if (errno == EAGAIN) {
            NV_TRY(ready(socket, POLLOUT, deadline_ms));
        } else if (errno != EINTR) {
            return NV_ERR_CLOSED;
        }
    }
    return NV_OK;
}

enum nv_err rpc__socket_recv(
    struct rpc_socket *socket, uint8_t *bytes, uint32_t cap, uint32_t *size, uint64_t deadline_ms)
{
    for (;;) {
        ssize_t const got = recv(socket->fd, bytes, cap, 0);
        if (got > 0) {
            *size = (uint32_t)got;
            return NV_OK;
        }
        if (got == 0) {
            return NV_ERR_CLOSED;
        }
        if (errno == EAGAIN) {
            NV_TRY(ready(socket, POLLIN, deadline_ms));
        } else if (errno != EINTR) {
            return NV_ERR_CLOSED;
        }
    }
}
