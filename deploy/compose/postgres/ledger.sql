-- Run once, when the server makes its data directory. Slipway makes its tables itself.
create database slipway;
