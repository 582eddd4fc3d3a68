#ifndef NV_NODE_VERSION_H
#define NV_NODE_VERSION_H

/* version.h - what this program calls itself. */

#define NODE_VERSION "0.1.0"

#endif /* NV_NODE_VERSION_H */
