/* The files of resources/ that are part of the module; edge_asset.S takes them in. */
#ifndef EDGE_ASSET_H
#define EDGE_ASSET_H

#include <stdint.h>

extern const uint8_t edge_asset_manifest[];
extern const uint32_t edge_asset_manifest_len;

extern const uint8_t edge_asset_screenshot[];
extern const uint32_t edge_asset_screenshot_len;

#endif
