# id: E8
# attack: reach a forbidden call by the 32-bit gate
# base: predict.py
# expect: crash
# line: exited 1
import ctypes, mmap, os
code = mmap.mmap(-1, 4096, prot=7)
code.write(b"\xb8\x14\x00\x00\x00\xcd\x80\xc3")  # mov eax, getpid; int 0x80; ret
ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(code)))()
os._exit(0)
