# id: S3
# attack: import the harness in the box and patch its judge
# base: predict.py
# expect: crash
# line: ModuleNotFoundError
import site
site.main()
import mcp_server.trial.measure
