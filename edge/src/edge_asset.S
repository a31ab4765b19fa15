// Takes the files of resources/ into the module as they are.

.macro asset name, file
    .section .rodata.\name,"",@
    .globl \name
    .type \name,@object
\name:
    .incbin "\file"
.L\name\()_end:
    .size \name, .L\name\()_end-\name

    .section .rodata.\name\()_len,"",@
    .globl \name\()_len
    .type \name\()_len,@object
    .p2align 2
\name\()_len:
    .int32 .L\name\()_end-\name
    .size \name\()_len, 4
.endm

    asset edge_asset_manifest, "resources/demo-manifest.txt"
    asset edge_asset_screenshot, "resources/screenshot.png"
